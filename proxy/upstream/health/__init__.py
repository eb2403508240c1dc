"""Active health checks of endpoints: asked at intervals, whether there is traffic or not.

Refuses to choose an endpoint, and to know what traffic showed of one.
"""
