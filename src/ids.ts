/** Branded identifiers: the compiler sees a swapped argument. All are plain strings at run time. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A tenant's slug, `[a-z0-9-]{1,63}`: it is a DNS label in every host name of the account. */
export type AccountId = Branded<'AccountId'>;
/** A Worker's name within its account, `[a-z0-9-_]{1,63}`. */
export type WorkerName = Branded<'WorkerName'>;
/** A version's UUID. Unique over all accounts. */
export type VersionId = Branded<'VersionId'>;
/** Lower-case hex SHA-256 of a blob's bytes. */
export type Sha256 = Branded<'Sha256'>;
