import { durationText } from './words.js';

const WIDTH = 24;

/** A bar of a share from 0 to 1. */
export function progressBar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * WIDTH);
  return `[${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}]`;
}

/** How far something is that has `total` parts, and when it will be through; a bar on a terminal only. */
export function partsText(done: number, total: number, elapsedMs: number, isTerminal: boolean): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const perSecond = elapsedMs === 0 ? 0 : (done * 1_000) / elapsedMs;
  const left = perSecond === 0 || done >= total ? '' : `, ${durationText((total - done) / perSecond)} left`;
  return `${isTerminal ? `${progressBar(share)} ` : ''}${Math.floor(share * 100)} %, ${done} of ${total}, ${Math.round(perSecond)}/s${left}`;
}
