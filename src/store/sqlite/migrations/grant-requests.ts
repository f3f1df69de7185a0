/** What a client asked for, in its own words: it wants to hear it again at each renewal. */
export const GRANT_REQUESTS = `ALTER TABLE grants ADD COLUMN requested TEXT NOT NULL DEFAULT ''`;
