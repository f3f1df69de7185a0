/** Prioritized tasks. */
export { postTask, yieldTurn } from '../scheduler/scheduler.ts';
export { TaskController, TaskPriorityChangeEvent, TaskSignal } from '../scheduler/task-signal.ts';
