import { type Cte, type Expression, type QueryNode, textOf, type Tree } from './sql-tree.ts';

/** Name of the column that says of which world a row is, and of the table of all worlds. */
export const world = 'world';

/** What names mean at one place of a query. */
export interface Scope {
  /** Whether a relation of that name (lower case) has rows of worlds; undefined: there is none. */
  isPartitioned(name: string): boolean | undefined;
  /** An alias that no other relation has. */
  makeAlias(): string;
  readonly aggregates: ReadonlySet<string>;
}

export class PartitionError extends Error {}

export function openScope(tables: ReadonlyMap<string, boolean>, aggregates: ReadonlySet<string>): Scope {
  let made = 0;
  return {
    isPartitioned: (name) => tables.get(name.toLowerCase()),
    makeAlias: () => `world_${(made += 1)}`,
    aggregates,
  };
}

export function withRelation(scope: Scope, name: string, partitioned: boolean): Scope {
  const key = name.toLowerCase();
  return {
    ...scope,
    isPartitioned: (other) => (other.toLowerCase() === key ? partitioned : scope.isPartitioned(other)),
  };
}

/** Whether rows of a world go into it. */
export function isOfWorlds(tree: Tree | object, scope: Scope): boolean {
  if (Array.isArray(tree)) return (tree as readonly Tree[]).some((part) => isOfWorlds(part, scope));
  if (typeof tree !== 'object' || tree === null) return false;
  const inner = 'cte_map' in tree ? insideOf(tree as unknown as QueryNode, scope) : scope;
  const type = (tree as { type?: Tree }).type;
  if (type === 'BASE_TABLE') return isTableOfWorlds(textOf((tree as { table_name?: Tree }).table_name), scope);
  return Object.entries(tree).some(([key, part]) => key !== 'cte_map' && isOfWorlds(part as Tree, inner));
}

export function isTableOfWorlds(table: string, scope: Scope): boolean {
  const partitioned = scope.isPartitioned(table);
  if (partitioned === undefined) throw new PartitionError(`no relation ${table} is known`);
  return partitioned;
}

/** The scope within a query: that around it and its common table expressions. */
function insideOf(node: QueryNode, scope: Scope): Scope {
  const own = node.type === 'RECURSIVE_CTE_NODE' ? withRelation(scope, node.cte_name, false) : scope;
  return node.cte_map.map.reduce((inner, cte) => withRelation(inner, cte.key, isCteOfWorlds(cte, inner)), own);
}

export function isCteOfWorlds(cte: Cte, scope: Scope): boolean {
  return isOfWorlds(cte.value.query.node, scope);
}

/** Whether an aggregate is called in it, windows and subqueries aside. */
export function hasAggregate(tree: Tree | readonly (Expression | null)[], scope: Scope): boolean {
  if (Array.isArray(tree)) return (tree as readonly Tree[]).some((part) => hasAggregate(part, scope));
  if (typeof tree !== 'object' || tree === null) return false;
  if (isAggregate(tree as Expression, scope)) return true;
  const { class: kind } = tree as { class?: Tree };
  if (kind === 'SUBQUERY') return hasAggregate((tree as { child: Tree }).child, scope);
  if (kind === 'WINDOW') return windowParts(tree as Expression).some((part) => hasAggregate(part, scope));
  return Object.values(tree).some((part) => hasAggregate(part, scope));
}

function windowParts(window: Expression): Tree[] {
  return ['children', 'partitions', 'orders'].map((part) => window[part] ?? null);
}

export function isAggregate(expression: Expression, scope: Scope): boolean {
  return expression.class === 'FUNCTION' && scope.aggregates.has(textOf(expression['function_name']));
}
