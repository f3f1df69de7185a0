/**
 * What a guest asks of its host beside the network: one file or folder for each service, each with its state per
 * instance. Called by host-calls.ts. Parameters come from a tenant's isolate: check each before use.
 * Promise: a service is made when it is first asked, bounded in what it keeps, and freed with its instance.
 * Start at service.ts.
 */
export { Services, toErrorText } from './services.ts';
