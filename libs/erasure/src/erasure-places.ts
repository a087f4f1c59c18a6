import { Injectable } from '@nestjs/common';
import type { ErasurePlace } from './erasure-place.js';

/** The places of this deployment; features add theirs while the application is being built. */
@Injectable()
export class ErasurePlaces {
  private readonly places = new Map<string, ErasurePlace>();

  register(place: ErasurePlace): void {
    if (this.places.has(place.name)) throw new Error(`The place ${place.name} is registered twice`);
    this.places.set(place.name, place);
  }

  /** What need not wait for the index first. */
  all(): ErasurePlace[] {
    return [...this.places.values()].sort((one, other) => Number(one.waitsForIndex) - Number(other.waitsForIndex));
  }
}
