/**
 * A process in a room of its own: bubblewrap gives it every namespace anew, an empty network, a root made of a few
 * read-only mounts, no capabilities, and a seccomp filter before its first instruction. As an ordinary user it needs
 * unprivileged user namespaces; as root it does not.
 */
import { listApp, listNode, NODE_IN_SANDBOX, type VisibleFile } from './files.ts';

const UID_INSIDE = '1000'; // what the process takes itself for; on the host it is whoever started bubblewrap

export interface BubblewrapOptions {
  readonly env: Readonly<Record<string, string>>;
  /** File descriptors that bubblewrap itself reads and writes; the process does not get them. */
  readonly filterFd?: number | undefined;
  readonly statusFd?: number | undefined;
  /** Arguments of Node. */
  readonly nodeArgs: readonly string[];
  /** Also to be seen. */
  readonly more?: readonly VisibleFile[];
}

/** Arguments of bwrap, for a Node in it. */
export function toBubblewrapArgs({ env, filterFd, statusFd, nodeArgs, more = [] }: BubblewrapOptions): string[] {
  const mounts = [...listNode(), ...listApp(), ...more].flatMap(({ from, to }) => ['--ro-bind', from, to]);
  const variables = Object.entries({ HOME: '/', ...env }).flatMap(([name, value]) => ['--setenv', name, value]);
  // Every namespace, and no reaper in between: the cell is PID 1 of its own, and the one that bubblewrap tells us of.
  const room = [
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    '--as-pid-1',
  ];
  const identity = ['--uid', UID_INSIDE, '--gid', UID_INSIDE, '--hostname', 'cell', '--cap-drop', 'ALL'];
  // Of its own PID namespace, for the watchdog: it opens the list of its threads, once, as it starts.
  const root = [...mounts, '--proc', '/proc', '--remount-ro', '/', '--chdir', '/', '--clearenv', ...variables];
  const status = statusFd === undefined ? [] : ['--json-status-fd', String(statusFd)];
  const filter = filterFd === undefined ? [] : ['--seccomp', String(filterFd)];
  return [...room, ...identity, ...root, ...status, ...filter, '--', NODE_IN_SANDBOX, ...nodeArgs];
}
