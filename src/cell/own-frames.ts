/** Frames of our own runtime in what a guest says. */

const OWN_FRAME = /^ +at (?:.*\()?isola:(?:boot|guest)(?:\/[\w-]+)?:\d+:\d+\)?/;

/**
 * A stack, or a console line with stacks in it, without the frames of our own runtime: they say nothing to a tenant. What
 * a console put behind such a frame (` {` of an error's properties) moves to the line before.
 */
export function withoutRuntime(text: string): string {
  if (!text.includes('isola:')) return text;
  const kept: string[] = [];
  for (const line of text.split('\n')) {
    const own = kept.length === 0 ? undefined : OWN_FRAME.exec(line)?.[0];
    if (own === undefined) kept.push(line);
    else kept[kept.length - 1] += line.slice(own.length);
  }
  return kept.join('\n');
}
