/** The command was understood but cannot be done, for a reason the user can act on: told without a stack. Exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
