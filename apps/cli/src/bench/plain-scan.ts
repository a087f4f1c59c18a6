/** As many vectors, of which none is like another, as an index has points; unit length. */
export class PlainScan {
  private readonly vectors: Float32Array;

  constructor(
    readonly points: number,
    readonly dimensions: number,
    random: () => number = Math.random,
  ) {
    this.vectors = new Float32Array(points * dimensions);
    for (let point = 0; point < points; point++) this.fill(point * dimensions, random);
  }

  /** The plain way to search without an index: every vector, one after the other. @returns the numbers of the best, best first */
  search(query: Float32Array, topK: number): number[] {
    const scores = new Float64Array(this.points);
    for (let point = 0, at = 0; point < this.points; point++) {
      let dot = 0;
      for (let index = 0; index < this.dimensions; index++) dot += query[index]! * this.vectors[at++]!;
      scores[point] = dot;
    }
    return Array.from(scores.keys())
      .sort((a, b) => scores[b]! - scores[a]!)
      .slice(0, topK);
  }

  vector(point: number): Float32Array {
    return this.vectors.subarray(point * this.dimensions, (point + 1) * this.dimensions);
  }

  private fill(start: number, random: () => number): void {
    let square = 0;
    for (let index = start; index < start + this.dimensions; index++) {
      const value = random() - 0.5;
      this.vectors[index] = value;
      square += value * value;
    }
    const length = Math.sqrt(square);
    for (let index = start; index < start + this.dimensions; index++) this.vectors[index]! /= length;
  }
}
