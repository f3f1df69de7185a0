import { assetIndexContract } from '../asset-index-contract.ts';
import { openSqliteStores } from './stores.ts';

assetIndexContract('openSqliteStores', () => openSqliteStores(':memory:'));
