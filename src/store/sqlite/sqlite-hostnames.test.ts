import { hostnamesContract } from '../hostnames-contract.ts';
import { openSqliteStores } from './stores.ts';

hostnamesContract('openSqliteStores', () => openSqliteStores(':memory:'));
