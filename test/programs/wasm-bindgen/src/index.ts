import init, { format } from '@wasm-fmt/sql_fmt/web';
import module from '@wasm-fmt/sql_fmt/sql_fmt_bg.wasm';

await init(module);

export default {
  async fetch(request: Request): Promise<Response> {
    const uppercase = new URL(request.url).searchParams.has('uppercase');
    try {
      return new Response(format(await request.text(), { indent_style: 'space', indent_width: 2, uppercase }));
    } catch (error) {
      return new Response(String(error), { status: 400 });
    }
  },
};
