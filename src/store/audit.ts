/**
 * The AuditLog port: who changed what, when and from where. A change is written down before it is tried and once more when
 * its outcome is known, so that one that a crash cut short is still told of.
 */
import type { TokenOwner } from './tokens.ts';

/** Never holds a secret, a value or a body. */
export interface AuditDraft {
  /** ms since 1970. */
  readonly at: number;
  /** The account that it is about, `*` for the platform itself. Not always the actor's. */
  readonly account: TokenOwner;
  /** Who, in words: a token's name, or `operator`. */
  readonly actor: string;
  readonly tokenId: string;
  /** What was done, e.g. `token.create`, or a method and a route. */
  readonly action: string;
  /** To what, e.g. a Worker's name. */
  readonly target: string;
  /** The address that it came from. */
  readonly ip: string;
}

export interface AuditRecord extends AuditDraft {
  /** Rises with time. */
  readonly id: number;
  /** HTTP status of the answer. `unknown` for good when the platform stopped before its end. */
  readonly status: number | 'pending' | 'unknown';
}

export interface AuditFilter {
  readonly account?: TokenOwner;
  readonly actor?: string;
  /** The action, or its beginning up to a dot: `token` finds `token.create`. */
  readonly action?: string;
  /** ms since 1970. */
  readonly since?: number;
  /** Only entries older than the one with this id. */
  readonly before?: number;
  /** Default 100. */
  readonly limit?: number;
}

export interface AuditLog extends AsyncDisposable {
  /** Survives a crash of the process once resolved. */
  begin(draft: AuditDraft): Promise<number>;
  /** `target`: when only the change has shown to what it was done. */
  end(id: number, status: number, target?: string): Promise<void>;
  /** Newest first. */
  list(filter?: AuditFilter): Promise<AuditRecord[]>;
  close(): Promise<void>;
}
