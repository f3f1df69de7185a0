import { execFileSync } from 'node:child_process';
import { ROOT } from '../helpers/isola-process.ts';

const ANY_UID = 64_900; // of the range of cells, and of none that a test starts

/** What a test says that needs it, where there is none. */
export const OWN_UID_NEEDS = 'root, in a checkout that every user can read';

/** Whether cells can have user ids of their own here: as root, where other users can read what cells run. */
export const hasOwnUid = process.getuid?.() === 0 && canRead();

function canRead(): boolean {
  try {
    const as = { uid: ANY_UID, gid: ANY_UID, cwd: '/', stdio: 'ignore' } as const;
    execFileSync('/bin/cat', [`${ROOT}/package.json`], as);
    execFileSync(process.execPath, ['--version'], as);
    return true;
  } catch {
    return false;
  }
}
