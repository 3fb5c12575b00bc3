/** The words of the access table: a route, the ways in which it names an object, and what becomes of each. */
import type { Scope } from '../src/domain/scopes.ts';
import type { Owner, Place, Scene } from './matrix-scene.ts';

/** What a caller is to an object: it may use it, it is limited to other lines, or it is not its account's at all. */
export type Relation = 'visible' | 'restricted' | 'unseen';

/** Granted, or the refusal's code and its param. */
export type Outcome = 'ok' | readonly [code: string, param?: string];

/** One caller before one object. */
export interface Cell {
  readonly owner: Owner;
  readonly relation: Relation;
  /** What the caller is to the line of the first place, where a request names that line and another's object. */
  readonly ownRelation: Relation;
  readonly isSameAccount: boolean;
  readonly isLimited: boolean;
}

/** A request as far as it is told apart: the key comes with the caller. */
export interface Asked {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Of an upload, instead of fields. */
  readonly bytes?: string;
  /** Of bytes that are no JSON and no file either. */
  readonly type?: string;
  /** What the request is about, where it was made for it. */
  readonly id?: string;
}

type Body = Readonly<Record<string, unknown>>;

export interface Variant {
  /** How the object is named. */
  readonly by: string;
  request(place: Place, scene: Scene): Asked | Promise<Asked>;
  outcome(cell: Cell): Outcome;
  /** Whether a granted answer shows the place's object; then it must be so exactly where `isShown` says. */
  readonly shows?: (body: Body, place: Place, asked: Asked) => boolean;
  /** Where it is not said: where the object is visible. */
  readonly isShown?: (cell: Cell) => boolean;
  /** Puts back what a granted request took away. */
  readonly restore?: (scene: Scene, place: Place, answer: Body) => Promise<void>;
}

export interface AccessRow {
  readonly route: string;
  readonly scope: Scope;
  /** Scopes that open it as well. */
  readonly alsoBy?: readonly Scope[];
  readonly status: 200 | 201 | 202 | 302;
  /** The keys of a granted answer, but for the request id. */
  readonly keys: readonly string[];
  readonly itemKeys?: readonly string[];
  /** Keys that are there only where the request had them. */
  readonly echoedKeys?: readonly string[];
  /** A granted answer does not end. */
  readonly isStream?: boolean;
  /** The first one, with the own object, is also where the fuzzer begins. */
  readonly variants: readonly [Variant, ...Variant[]];
}

/** The line is named: who is limited to others hears of it. */
export const namesLine =
  (param: string) =>
  ({ relation }: Cell): Outcome => {
    if (relation === 'visible') return 'ok';
    return [relation === 'restricted' ? 'line_not_accessible' : 'line_not_found', param];
  };

/** Named by an id or the like: what cannot be used is not there. */
export const namesObject =
  (code: string, param: string) =>
  ({ relation }: Cell): Outcome =>
    relation === 'visible' ? 'ok' : [code, param];

/** The request names the own line, and with it an object that may be of another line. */
export const namesObjectOnOwnLine =
  (code: string, param: string) =>
  ({ owner, ownRelation }: Cell): Outcome => {
    if (ownRelation === 'restricted') return ['line_not_accessible', 'from'];
    if (ownRelation === 'unseen') return ['line_not_found', 'from'];
    return owner === 'own' ? 'ok' : [code, param];
  };

/** It belongs to the account and to none of its lines. */
export const namesAccountsObject =
  (code: string, param: string) =>
  ({ isSameAccount }: Cell): Outcome =>
    isSameAccount ? 'ok' : [code, param];

export const always = (): Outcome => 'ok';

/** The outcome of another dialect, whose refusals name no field. */
export const withoutParam =
  (outcome: (cell: Cell) => Outcome) =>
  (cell: Cell): Outcome => {
    const told = outcome(cell);
    return told === 'ok' ? told : [told[0]];
  };

/** Whether a list holds an item with that value. */
export function holds(body: Body, key: string, value: string): boolean {
  const data: unknown = body['data'];
  return Array.isArray(data) && data.some((item: Record<string, unknown>) => item[key] === value);
}
