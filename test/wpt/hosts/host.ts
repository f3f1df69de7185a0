/** The protocol between the runner and the child processes in which tests run. */
import type { Page, PageResult } from '../page.ts';

/** What a child answers for each page: its results, or why there are none. */
export type HostAnswer = { readonly result: PageResult } | { readonly crash: string };

/** Takes one page at a time from the parent process and answers it. Ends with the parent. */
export function serveParent(run: (page: Page) => Promise<HostAnswer>): void {
  process.on('message', (page: Page) => {
    void run(page)
      .catch((error: unknown): HostAnswer => ({ crash: String(error) }))
      .then((answer) => process.send?.(answer));
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}
