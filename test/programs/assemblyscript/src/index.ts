import { instantiate } from '../build/text.js';
import module from '../build/text.wasm';

const { check, factorial, middle, reverse, sum, words } = await instantiate(module, { env: {} });

export default {
  fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    const text = searchParams.get('text') ?? '';
    const numbers = searchParams.getAll('n').map(Number);
    switch (pathname) {
      case '/reverse':
        return new Response(reverse(text));
      case '/words':
        return Response.json(words(text));
      case '/sum':
        return Response.json(sum(Float64Array.from(numbers)));
      case '/factorial':
        return new Response(factorial(BigInt(numbers[0] ?? 0)).toString());
      case '/middle':
        return Response.json(middle({ x: 0, y: 0 }, { x: numbers[0] ?? 0, y: numbers[1] ?? 0 }));
      case '/check':
        try {
          check(numbers[0] ?? 0);
          return new Response('fine');
        } catch (error) {
          return new Response((error as Error).message, { status: 400 });
        }
      default:
        return new Response('not found', { status: 404 });
    }
  },
};
