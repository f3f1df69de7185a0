/** `settings` is the JSON of an AccountSettings; null for none. */
export const ACCOUNT_SETTINGS = `
  ALTER TABLE accounts ADD COLUMN settings TEXT;
`;
