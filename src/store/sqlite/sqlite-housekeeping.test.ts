import { housekeepingContract } from '../housekeeping-contract.ts';
import { openSqliteStores } from './stores.ts';

housekeepingContract('openSqliteStores', () => openSqliteStores(':memory:'));
