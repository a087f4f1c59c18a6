import type { EmbedTask } from './embed-task.js';

/** How many emptied places are kept in front before the array is cut: makes taking from the front constant time on average. */
const COMPACT_AT = 1024;

/** First in, first out; tasks that were settled while they waited are skipped. */
export class TaskQueue {
  private tasks: EmbedTask[] = [];
  private head = 0;

  push(task: EmbedTask): void {
    this.tasks.push(task);
  }

  /** For a task whose thread died: it has waited longest. */
  pushFront(task: EmbedTask): void {
    if (this.head > 0) this.tasks[--this.head] = task;
    else this.tasks.unshift(task);
  }

  take(): EmbedTask | null {
    while (this.head < this.tasks.length) {
      const task = this.tasks[this.head++]!;
      if (this.head >= COMPACT_AT) {
        this.tasks = this.tasks.slice(this.head);
        this.head = 0;
      }
      if (!task.isSettled) return task;
    }
    this.tasks = [];
    this.head = 0;
    return null;
  }

  /** Takes everything that waits. */
  takeAll(): EmbedTask[] {
    const all: EmbedTask[] = [];
    for (let task = this.take(); task !== null; task = this.take()) all.push(task);
    return all;
  }
}
