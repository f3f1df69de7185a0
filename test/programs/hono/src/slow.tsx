/** @jsxImportSource hono/jsx */
import { Suspense } from 'hono/jsx';
import { renderToReadableStream } from 'hono/jsx/streaming';

interface Props {
  readonly report: Promise<string>;
}

const Report = async ({ report }: Props) => <p>{await report}</p>;

export const Slow = ({ report }: Props): ReadableStream =>
  renderToReadableStream(
    <html>
      <body>
        <Suspense fallback={<p>one moment</p>}>
          <Report report={report} />
        </Suspense>
      </body>
    </html>,
  );
