/** The exception that few Workers ever see. */
export { QuotaExceededError } from '../events/quota-exceeded-error.ts';
