import { renderToReadableStream } from 'react-dom/server';
import { Page } from './page.tsx';

const headers = { 'content-type': 'text/html; charset=utf-8' };

export default {
  async fetch(request: Request, env: { readonly COMMENTS_URL: string }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      const stream = await renderToReadableStream(<Page path={pathname} commentsUrl={env.COMMENTS_URL + pathname} />, {
        bootstrapScripts: ['/main.js'],
        signal: request.signal,
        onError(error) {
          console.error(error);
          return 'digest-of-the-error';
        },
      });
      // For crawlers: the whole page at once.
      if (searchParams.has('whole')) await stream.allReady;
      return new Response(stream, { headers });
    } catch (error) {
      return new Response(`<h1>${(error as Error).message}</h1>`, { status: 500, headers });
    }
  },
};
