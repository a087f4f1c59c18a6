import { SortedIds } from './sorted-ids.js';

class Subject {
  readonly order = new SortedIds();
  readonly present = new Set<string>();

  add(...ids: string[]): void {
    for (const id of ids) {
      this.present.add(id);
      this.order.add(id);
    }
  }

  remove(...ids: string[]): void {
    for (const id of ids) {
      this.present.delete(id);
      this.order.noteRemoval();
    }
  }

  after(id: string | null, limit = Infinity): string[] {
    const found: string[] = [];
    this.order.forEachAfter(
      id,
      (candidate) => this.present.has(candidate),
      (candidate) => found.push(candidate) < limit,
    );
    return found;
  }
}

describe('SortedIds', () => {
  it('returns ids in order, whenever they came', () => {
    const subject = new Subject();
    subject.add('c', 'a');
    expect(subject.after(null)).toEqual(['a', 'c']);
    subject.add('b', 'd');
    expect(subject.after(null)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('starts behind an id, present or not, and stops when told', () => {
    const subject = new Subject();
    subject.add('b', 'd', 'f', 'h');
    expect(subject.after('d')).toEqual(['f', 'h']);
    expect(subject.after('c')).toEqual(['d', 'f', 'h']);
    expect(subject.after('h')).toEqual([]);
    expect(subject.after('a', 2)).toEqual(['b', 'd']);
  });

  it('leaves removed ids out, before and after a merge', () => {
    const subject = new Subject();
    subject.add('a', 'b', 'c', 'd');
    subject.remove('b');
    expect(subject.after(null)).toEqual(['a', 'c', 'd']);
    subject.after(null);
    subject.remove('a', 'd');
    expect(subject.after(null)).toEqual(['c']);
  });

  it('returns an id once that was removed and added again', () => {
    const subject = new Subject();
    subject.add('a', 'b', 'c');
    subject.after(null);
    subject.remove('b');
    subject.add('b');
    subject.remove('b');
    subject.add('b');
    expect(subject.after(null)).toEqual(['a', 'b', 'c']);
    subject.remove('b');
    expect(subject.after(null)).toEqual(['a', 'c']);
  });
});
