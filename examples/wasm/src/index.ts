import mandelbrot from '../mandelbrot.wasm';

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly draw: (width: number, height: number, maxSteps: number) => number;
}

// Compiled when the Worker was uploaded; instantiating takes microseconds, so each request may have its own.
const { memory, draw } = new WebAssembly.Instance(mandelbrot).exports as unknown as Exports;

const SHADES = ' .:-=+*#%@';
const MAX_STEPS = 60;

export default {
  fetch(request: Request): Response {
    const { searchParams } = new URL(request.url);
    const width = Number(searchParams.get('width') ?? 78);
    const height = Number(searchParams.get('height') ?? 30);
    const address = draw(width, height, MAX_STEPS);
    if (address === 0) return new Response('width × height must be from 1 to 61440\n', { status: 400 });
    const steps = new Uint8Array(memory.buffer, address, width * height);
    const lines = Array.from({ length: height }, (_, row) => toLine(steps.subarray(row * width, (row + 1) * width)));
    return new Response(`${lines.join('\n')}\n`, { headers: { 'content-type': 'text/plain' } });
  },
};

function toLine(steps: Uint8Array): string {
  return Array.from(steps, (step) => SHADES[Math.floor((step * (SHADES.length - 1)) / MAX_STEPS)]).join('');
}
