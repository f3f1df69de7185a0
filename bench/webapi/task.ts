/** What the bench asks of either side. */
export interface Task {
  /** Of the operation. */
  readonly name: string;
  /** How many times to do it as often as operations.js says: a round has to be long to be measured. */
  readonly times: number;
}

export type Operation = readonly [count: number, work: (count: number) => unknown];
