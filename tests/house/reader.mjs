// A reader of a stream that pauses 100 ms at each read; the same in a page and in Node.
// What it learnt: status, Reference ID, text, and the name of what its fetch threw, if anything.

export async function read(url) {
  const learnt = { status: 0, id: null, text: "", reads: 0, threw: null };
  try {
    const response = await fetch(url, { headers: { Accept: "text/event-stream" } });
    learnt.status = response.status;
    learnt.id = response.headers.get("X-Request-ID");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      learnt.reads += 1;
      learnt.text += value;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } catch (error) {
    learnt.threw = String(error);
  }
  return learnt;
}

if (globalThis.process?.argv) {
  console.log(JSON.stringify(await read(process.argv[2])));
}
