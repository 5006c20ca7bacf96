import { isAggregate, PartitionError, type Scope, world } from './partition-scope.ts';
import {
  baseTable,
  coalesce,
  column,
  equal,
  type Expression,
  integer,
  join,
  mapExpressions,
  named,
  select,
  type SelectNode,
  subqueryTable,
  textOf,
} from './sql-tree.ts';

/** Aggregates that are 0 of no rows, and those that are null. Of any other it is not known. */
const zeroOfNone = new Set(['count', 'count_star', 'count_if', 'countif']);
const nullOfNone = new Set(
  [
    [
      'min',
      'max',
      'min_by',
      'max_by',
      'arg_min',
      'arg_max',
      'argmin',
      'argmax',
      'any_value',
      'first',
      'last',
      'sum',
      'avg',
    ],
    ['bool_or', 'bool_and', 'list', 'array_agg', 'string_agg', 'group_concat', 'listagg', 'median', 'mode'],
  ].flat(),
);

/**
 * An aggregate without GROUP BY gives one row, also of no rows: the rows are grouped by world, and the groups are joined to
 * the table of worlds. `inside` is what the aggregates are computed over, with nothing selected; `of` says of which world
 * a row of it is. `around` rewrites what stands around the aggregates, given the world.
 */
export function aggregateByWorld(
  node: SelectNode,
  inside: Pick<SelectNode, 'from_table' | 'where_clause'>,
  of: Expression,
  scope: Scope,
  around: <T>(tree: T, world: Expression) => T,
  within: (aggregate: Expression) => Expression,
): SelectNode {
  if (node.qualify !== null) throw new PartitionError('QUALIFY beside an aggregate without GROUP BY is not known here');
  const groups = scope.makeAlias();
  const worlds = scope.makeAlias();
  const aggregates: Expression[] = [];
  const lift = (aggregate: Expression): Expression => {
    const name = `a${aggregates.length}`;
    aggregates.push(named(within(aggregate), name));
    const result = column(groups, name);
    const alias = textOf(aggregate['alias']);
    const called = textOf(aggregate['function_name']);
    if (zeroOfNone.has(called)) return named(coalesce(result, integer(0)), alias);
    if (!nullOfNone.has(called)) throw new PartitionError(`what ${called} is of no rows is not known here`);
    return named(result, alias);
  };
  const here = column(worlds, world);
  // Lifted first: what is around them is rewritten with the world of the row outside.
  const rewrite = <T>(tree: T): T =>
    around(
      mapExpressions(tree, (expression) => {
        if (isAggregate(expression, scope)) return lift(expression);
        if (expression.class === 'WINDOW') throw new PartitionError('a window over one row is not known here');
        return expression.class === 'SUBQUERY' ? expression : undefined;
      }),
      here,
    );
  const list = node.select_list.map((item) => rewrite(item));
  const having = rewrite(node.having);
  const modifiers = rewrite(node.modifiers);
  const grouped = {
    ...select([...aggregates, named(of, world)], inside.from_table, inside.where_clause),
    group_expressions: [of],
    group_sets: [[0]],
  };
  const from = join(
    baseTable(world, worlds),
    subqueryTable(grouped, groups),
    'LEFT',
    equal(column(groups, world), here),
  );
  return { ...select([...list, named(here, world)], from, having), cte_map: node.cte_map, modifiers };
}
