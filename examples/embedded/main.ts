/** A program that runs its users' formulas in isolates of its own process: `node examples/embedded/main.ts`. */
import { createRuntime } from 'isola';

const worker = `
  export default {
    async fetch(request) {
      const { a, b } = await request.json();
      return Response.json({ sum: a + b });
    },
  };
`;

// What each invocation has used is known when it has ended, which is a moment after its response.
await using runtime = await createRuntime({
  onRecord: ({ worker, outcome, cpuUs }) => console.log(`${worker}: ${outcome}, ${cpuUs} µs of CPU`),
});
await runtime.deploy('adder', { modules: { 'index.js': worker }, limits: { cpuMs: 10 } });

const request = new Request('http://adder/', { method: 'POST', body: JSON.stringify({ a: 2, b: 3 }) });
const response = await runtime.fetch('adder', request);
console.log(response.status, await response.text());
