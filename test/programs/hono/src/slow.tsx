/** @jsxImportSource hono/jsx */
import { Suspense } from 'hono/jsx';
import { renderToReadableStream } from 'hono/jsx/streaming';

const Report = async () => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return <p>the report</p>;
};

export const Slow = (): ReadableStream =>
  renderToReadableStream(
    <html>
      <body>
        <Suspense fallback={<p>one moment</p>}>
          <Report />
        </Suspense>
      </body>
    </html>,
  );
