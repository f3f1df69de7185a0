/**
 * MessageChannel and MessagePort, a lazily loaded part.
 * Promise: what is posted is a copy, delivered in its order; ports can be transferred through other ports.
 * Start at message-channel.ts.
 */
export { MessageChannel, MessagePort } from './message-channel.ts';
