import { aggregateByWorld } from './partition-aggregate.ts';
import { forEveryWorld, type FromParts, partitionFrom, type PartitionedFrom, widthOf } from './partition-from.ts';
import {
  hasAggregate,
  isCteOfWorlds,
  isOfWorlds,
  PartitionError,
  type Scope,
  withRelation,
  world,
} from './partition-scope.ts';
import {
  allBut,
  allOf,
  column,
  type Cte,
  equal,
  type Expression,
  mapExpressions,
  named,
  type QueryNode,
  select,
  type SelectNode,
  subqueryTable,
  textOf,
} from './sql-tree.ts';

/** A query that gives for each world what `node` gives for its rows alone, with the world as last column. */
export function partitionQuery(node: QueryNode, outside: Scope): QueryNode {
  const { scope, ctes } = partitionCtes(node, outside);
  const cte_map = { map: ctes };
  switch (node.type) {
    case 'SELECT_NODE':
      return partitionSelect({ ...node, cte_map }, scope);
    case 'SET_OPERATION_NODE':
      refuseLimit(node);
      return { ...node, cte_map, left: partitionQuery(node.left, scope), right: partitionQuery(node.right, scope) };
    case 'RECURSIVE_CTE_NODE': {
      if (node.key_targets.length > 0) throw new PartitionError('USING KEY is not known here');
      const inner = withRelation(scope, node.cte_name, true);
      const sides = { left: partitionQuery(node.left, inner), right: partitionQuery(node.right, inner) };
      return { ...node, ...sides, cte_map, aliases: withWorld(node.aliases, node.left) };
    }
    default:
      throw new PartitionError(`${(node as { type: string }).type} is not known here`);
  }
}

function partitionCtes(node: QueryNode, outside: Scope): { scope: Scope; ctes: readonly Cte[] } {
  let scope = outside;
  const ctes = node.cte_map.map.map((cte): Cte => {
    const around = scope;
    const partitioned = isCteOfWorlds(cte, around);
    scope = withRelation(around, cte.key, partitioned);
    if (!partitioned) return cte;
    if (cte.value.key_targets.length > 0) throw new PartitionError('USING KEY is not known here');
    const query = { ...cte.value.query, node: partitionQuery(cte.value.query.node, around) };
    return { ...cte, value: { ...cte.value, query, aliases: withWorld(cte.value.aliases, cte.value.query.node) } };
  });
  return { scope, ctes };
}

function withWorld(aliases: readonly string[], node: QueryNode): readonly string[] {
  if (aliases.length === 0) return aliases;
  if (widthOf(node) !== aliases.length) throw new PartitionError('not every column is named');
  return [...aliases, world];
}

function refuseLimit(node: QueryNode): void {
  if (node.modifiers.some(({ type }) => type.startsWith('LIMIT'))) {
    throw new PartitionError('LIMIT outside of a subquery in an expression is not known here');
  }
}

function partitionSelect(node: SelectNode, scope: Scope): SelectNode {
  refuseLimit(node);
  const from = forEveryWorld(partitionFrom(node.from_table, scope, fromParts(scope)), scope);
  const where_clause = partitionSubqueries(node.where_clause, scope, from.world);
  const inside = { from_table: from.table, where_clause };
  const grouping = groupingOf(node, scope);
  if (grouping === 'one') {
    return aggregateByWorld(
      node,
      inside,
      from.world,
      scope,
      (tree, here) => partitionSubqueries(tree, scope, here),
      (aggregate) => partitionSubqueries(aggregate, scope, from.world),
    );
  }
  const rewrite = <T>(tree: T): T => withPartitions(tree, scope, from.world, from);
  const modifiers = rewrite(node.modifiers).map((modifier) =>
    modifier.type === 'DISTINCT_MODIFIER' && modifier.distinct_on_targets.length > 0
      ? { ...modifier, distinct_on_targets: [...modifier.distinct_on_targets, from.world] }
      : modifier,
  );
  const groups = grouping === 'groups' ? [...rewrite(node.group_expressions), from.world] : node.group_expressions;
  return {
    ...node,
    ...inside,
    select_list: [...rewrite(node.select_list), named(from.world, world)],
    group_expressions: groups,
    group_sets: node.group_sets.map((set) => [...set, groups.length - 1]),
    having: rewrite(node.having),
    qualify: rewrite(node.qualify),
    modifiers,
  };
}

/** one: one row whatever there is. all: GROUP BY ALL, which takes the world as another group by itself. */
function groupingOf(node: SelectNode, scope: Scope): 'none' | 'one' | 'groups' | 'all' {
  if (node.aggregate_handling === 'FORCE_AGGREGATES') {
    if (node.select_list.every((item) => hasAggregate(item, scope))) {
      throw new PartitionError('GROUP BY ALL of nothing but aggregates is not known here');
    }
    return 'all';
  }
  if (node.aggregate_handling !== 'STANDARD_HANDLING') {
    throw new PartitionError(`${node.aggregate_handling} is not known here`);
  }
  if (node.group_expressions.length > 0) {
    if (node.group_sets.some((set) => set.length === 0))
      throw new PartitionError('the empty grouping is not known here');
    return 'groups';
  }
  if (node.group_sets.length > 0) throw new PartitionError('GROUP BY () is not known here');
  return node.having !== null || hasAggregate(node.select_list, scope) ? 'one' : 'none';
}

function fromParts(scope: Scope): FromParts {
  return {
    query: (node) => partitionQuery(node, scope),
    expression: (expression, of) => (of === undefined ? expression : partitionSubqueries(expression, scope, of)),
  };
}

/** Windows are cut by world, stars leave the world out, subqueries see the rows of their row's world alone. */
function withPartitions<T>(tree: T, scope: Scope, of: Expression, from: PartitionedFrom): T {
  return mapExpressions(tree, (expression) => {
    if (expression.class === 'STAR') return withoutWorld(expression, from);
    if (expression.class === 'SUBQUERY') return partitionSubquery(expression, scope, of);
    if (expression.class !== 'WINDOW') return undefined;
    const parts = Object.entries(expression).map(([key, value]) => [key, withPartitions(value, scope, of, from)]);
    const window = Object.fromEntries(parts) as Expression;
    return { ...window, partitions: [...(window['partitions'] as readonly Expression[]), of] };
  });
}

function withoutWorld(star: Expression, from: PartitionedFrom): Expression | undefined {
  // ORDER BY ALL is a star too
  if (star['columns'] === true) {
    if (star['expr'] !== null) throw new PartitionError('COLUMNS is not known here');
    return undefined;
  }
  const relation = textOf(star['relation_name']);
  const partitioned = relation === '' ? [...from.relations.values()].some(Boolean) : from.relations.get(relation);
  if (partitioned === undefined) throw new PartitionError(`no relation ${relation} is known for its star`);
  if (!partitioned) return undefined;
  return { ...star, exclude_list: [...(star['exclude_list'] as readonly string[]), world] };
}

function partitionSubqueries<T>(tree: T, scope: Scope, of: Expression): T {
  return mapExpressions(tree, (expression) =>
    expression.class === 'SUBQUERY' ? partitionSubquery(expression, scope, of) : undefined,
  );
}

function partitionSubquery(expression: Expression, scope: Scope, of: Expression): Expression {
  const child = partitionSubqueries(expression['child'] ?? null, scope, of);
  const subquery = expression['subquery'] as unknown as { node: QueryNode };
  if (!isOfWorlds(subquery.node, scope)) return { ...expression, child };
  const node = restrictQuery(subquery.node, scope, of);
  return { ...expression, child, subquery: { ...subquery, node } } as unknown as Expression;
}

/** The query over the rows of one world alone, that which `of` says; its columns stay as they are. */
function restrictQuery(node: QueryNode, outside: Scope, of: Expression): QueryNode {
  if (node.type !== 'SELECT_NODE') {
    const alias = outside.makeAlias();
    const inner = subqueryTable(partitionQuery(node, outside), alias);
    return select([allBut(world)], inner, equal(column(alias, world), of));
  }
  const { scope, ctes } = partitionCtes(node, outside);
  const from = partitionFrom(node.from_table, scope, fromParts(scope));
  const inner = from.world ?? of;
  const grouped = groupingOf(node, scope) !== 'none';
  // What stands behind a grouping can't name a column that is no group.
  const rewrite = <T>(tree: T): T => withoutWorlds(tree, scope, grouped ? of : inner, from);
  return {
    ...node,
    cte_map: { map: ctes },
    from_table: from.table,
    where_clause: allOf(
      partitionSubqueries(node.where_clause, scope, inner),
      from.world === undefined ? null : equal(from.world, of),
    ),
    select_list: rewrite(node.select_list),
    group_expressions: rewrite(node.group_expressions),
    having: rewrite(node.having),
    qualify: rewrite(node.qualify),
    modifiers: rewrite(node.modifiers),
  };
}

function withoutWorlds<T>(tree: T, scope: Scope, of: Expression, from: PartitionedFrom): T {
  return mapExpressions(tree, (expression) => {
    if (expression.class === 'STAR') return withoutWorld(expression, from);
    return expression.class === 'SUBQUERY' ? partitionSubquery(expression, scope, of) : undefined;
  });
}
