const encoder = new TextEncoder();

export default {
  fetch(request: Request): Response {
    const url = new URL(request.url);
    if (url.pathname === '/upper') return upperCase(request);
    return countDown(Math.min(Number(url.searchParams.get('from') ?? 5), 60));
  },
};

/** One line every 200 ms: the client sees each as it is made. */
function countDown(from: number): Response {
  let left = from;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(encoder.encode(left === 0 ? 'lift-off\n' : `${left}\n`));
      if (left === 0) controller.close();
      else await new Promise((resolve) => setTimeout(resolve, 200));
      left -= 1;
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/plain' } });
}

/** Answers with the request's body in capitals, chunk by chunk: a body of any length needs the memory of one chunk. */
function upperCase(request: Request): Response {
  const capitals = new TransformStream<string, string>({
    transform(chunk, controller) {
      controller.enqueue(chunk.toUpperCase());
    },
  });
  const body = request.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(capitals)
    .pipeThrough(new TextEncoderStream());
  return new Response(body ?? null, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
