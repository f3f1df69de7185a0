/** Asks, one time after the other, until something is over. Resolves to the answers; throws what either throws. */
export async function keepAsking<T>(over: Promise<unknown>, ask: () => Promise<T>): Promise<T[]> {
  const state = { isOver: false };
  const ended = over.finally(() => (state.isOver = true));
  ended.catch(() => {}); // awaited below
  const answers: T[] = [];
  while (!state.isOver) answers.push(await ask());
  await ended;
  return answers;
}
