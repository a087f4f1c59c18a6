import type { IndexReport } from './index-check.js';
import type { StoreFault } from './store-faults.js';

/** `check`: no more faults, come to rest, and report; `stop`: end in order. */
export interface ParentMessage {
  readonly kind: 'check' | 'stop';
}

export type ChildMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'fault'; readonly fault: StoreFault }
  | { readonly kind: 'report'; readonly report: IndexReport }
  | { readonly kind: 'failed'; readonly message: string };
