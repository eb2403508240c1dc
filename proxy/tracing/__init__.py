"""Spans: the record of an exchange becomes a trace's SERVER and CLIENT spans, sent by OTLP."""
