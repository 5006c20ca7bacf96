/** What is still to come, by time; of equal times what was put in first. A binary heap. */
export class TimeQueue<T> {
  readonly #items: { readonly at: bigint; readonly order: number; readonly item: T }[] = [];
  #count = 0;

  /** When the next item is due; undefined when there is none. */
  get next(): bigint | undefined {
    return this.#items[0]?.at;
  }

  push(at: bigint, item: T): void {
    const items = this.#items;
    const entry = { at, order: this.#count, item };
    this.#count += 1;
    let place = items.length;
    items.push(entry);
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = items[above];
      if (other === undefined || isBefore(other, entry)) break;
      items[place] = other;
      place = above;
    }
    items[place] = entry;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first?.item;
    let place = 0;
    for (;;) {
      let below = place * 2 + 1;
      let least = items[below];
      const right = items[below + 1];
      if (least === undefined) break;
      if (right !== undefined && isBefore(right, least)) [below, least] = [below + 1, right];
      if (isBefore(last, least)) break;
      items[place] = least;
      place = below;
    }
    items[place] = last;
    return first.item;
  }
}

interface Due {
  readonly at: bigint;
  readonly order: number;
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
