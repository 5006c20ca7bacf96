/*
 * The shapes that the parts of the script share. Only the compiler reads this file: it is not in the page.
 */

type Half = 'kernel' | 'provider';

/** The block of JSON in the page, as src/report/html-data.ts writes it: change both. */
interface Data {
  readonly from: number;
  readonly until: number;
  readonly window: readonly [number | null, number | null];
  readonly strings: readonly string[];
  readonly kernel: readonly DataLane[];
  readonly provider: readonly DataLane[];
  /** Half (0 kernel, 1 provider), from, until, what. */
  readonly gaps: readonly (readonly [number, number | null, number | null, string])[];
  /** Name, from, until, title. */
  readonly coverage: readonly (readonly [string, number | null, number | null, string])[];
  /** Place on the page of each record that is shown. */
  readonly records: Readonly<Record<string, number>>;
  /** Marks and lanes that did not fit. */
  readonly left: number;
}

interface DataLane {
  readonly name: string;
  readonly title: string;
  readonly depth: number;
  readonly life?: Life;
  /** Name by its place in `strings`, and numbers of each mark: six, of a use eight. */
  readonly rows: readonly (readonly [number, readonly (number | string)[]])[];
}

/** From, for how long, and 1 where the end is not known. */
type Life = readonly [number, number, number];

/** Milliseconds since the start of the data, as all times but those in the data. */
interface TimeSpan {
  from: number;
  until: number;
}

/** One connection or use. */
interface Mark extends Readonly<TimeSpan> {
  /** Index into `standings`. */
  readonly standing: number;
  readonly hollow: boolean;
  readonly id: string;
  readonly remark: string;
  /** The matched other half of a use. */
  other: Mark | undefined;
  readonly shared: boolean;
  readonly row: Item;
  /** Where it is drawn, -1 where it is not. */
  line: number;
}

/** A process, a session, a group of processes that look alike, or one row of either. */
interface Item {
  readonly kind: 'lane' | 'group' | 'row';
  readonly half: Half;
  readonly name: string;
  title: string;
  depth: number;
  life: Life | undefined;
  parent: Item | undefined;
  children: Item[];
  /** Of a row. */
  readonly marks: Mark[];
  open: boolean;
  /** All below it that pass the filter, in order of time. */
  shown: Mark[];
  /** Whether it passes the filter. */
  found: boolean;
}

/** The time line: what it shows, and how much of it at the moment. Made in main.js, and handed to all that draws or changes it. */
interface Timeline {
  readonly data: Data;
  /** All of the time, with a margin. */
  readonly whole: Readonly<TimeSpan>;
  readonly roots: Readonly<Record<Half, Item[]>>;
  readonly connections: readonly Mark[];
  readonly uses: readonly Mark[];
  /** The marks that stand out. */
  readonly findings: readonly Mark[];
  readonly page: Page;
  /** The part of the time that is on the page. */
  readonly view: TimeSpan;
  /** What has a line, from the top down. */
  readonly lines: Record<Half, Item[]>;
  picked: Mark | undefined;
  /** The finding that the reader went to, -1 before. */
  finding: number;
  readonly drawing: Drawing;
}

/** How far the page is drawn. */
interface Drawing {
  /** Goes up with each change: a line of an earlier version is drawn again. */
  version: number;
  drawnVersion: number;
  /** Whether the browser was asked for a frame to draw in. */
  asked: boolean;
  /** Uses from which a line goes to their connection. */
  joined: readonly Mark[];
  /** What each shape stands for. */
  readonly marks: WeakMap<Element, Mark[]>;
}

/** The elements that change, or that a reader works with. */
interface Page {
  readonly tools: HTMLElement;
  readonly search: HTMLInputElement;
  readonly standsOut: HTMLInputElement;
  readonly next: HTMLButtonElement;
  readonly zoomOut: HTMLButtonElement;
  readonly zoomIn: HTMLButtonElement;
  readonly toTask: HTMLButtonElement;
  readonly toAll: HTMLButtonElement;
  readonly unfold: HTMLButtonElement;
  readonly fold: HTMLButtonElement;
  readonly stage: HTMLElement;
  readonly axis: SVGElement;
  readonly kernel: Pane;
  readonly provider: Pane;
  readonly coverage: SVGElement;
  readonly joins: SVGElement;
  readonly brush: HTMLElement;
  readonly status: HTMLElement;
  readonly detail: HTMLElement;
}

/** Where one half is, scrolled apart from the other. */
interface Pane {
  readonly half: Half;
  readonly box: HTMLElement;
  readonly back: SVGElement;
  readonly pane: HTMLElement;
  /** As high as all lines together. */
  readonly space: HTMLElement;
  /** The lines that are on the page: those that can be seen, and a few more. */
  readonly kept: Map<Item, HTMLElement>;
  version: number;
}

interface Size {
  readonly width: number;
  /** Where the labels end and the time starts. */
  readonly left: number;
  readonly right: number;
}

/** What is drawn at once: how wide, and where a time is in it. */
interface Frame extends Size {
  readonly scale: (time: number) => number;
}

/** Marks that are drawn as one shape. */
interface MarkGroup {
  readonly x: number;
  end: number;
  readonly standing: number;
  readonly hollow: boolean;
  readonly marks: Mark[];
}

/** Where a line is on the stage: `far` where it is scrolled out. */
type Place = (line: number) => { readonly y: number; readonly far: boolean };
