import { isOfWorlds, isTableOfWorlds, PartitionError, type Scope, world } from './partition-scope.ts';
import {
  allOf,
  baseTable,
  coalesce,
  column,
  equal,
  type Expression,
  type Join,
  join,
  type QueryNode,
  type SubqueryTable,
  type TableRef,
} from './sql-tree.ts';

/** What stands behind FROM, joined world by world. */
export interface PartitionedFrom {
  readonly table: TableRef;
  /** Says of which world a row is; undefined: rows are of none. */
  readonly world: Expression | undefined;
  /** By name: whether the relation has the column `world`. */
  readonly relations: ReadonlyMap<string, boolean>;
}

/** How the parts of FROM are rewritten that are queries and expressions themselves. */
export interface FromParts {
  readonly query: (node: QueryNode) => QueryNode;
  readonly expression: (expression: Expression, world: Expression | undefined) => Expression;
}

export function partitionFrom(table: TableRef, scope: Scope, parts: FromParts): PartitionedFrom {
  switch (table.type) {
    case 'BASE_TABLE': {
      const name = table.alias === '' ? table.table_name : table.alias;
      if (!isTableOfWorlds(table.table_name, scope)) return ofNone(table, name);
      if (table.column_name_alias.length > 0)
        throw new PartitionError(`column names behind ${name} are not known here`);
      return ofWorlds(table, name);
    }
    case 'SUBQUERY':
      return partitionSubquery(table, scope, parts);
    case 'JOIN':
      return partitionJoin(table, scope, parts);
    case 'EMPTY':
    case 'EXPRESSION_LIST':
    case 'TABLE_FUNCTION':
      if (isOfWorlds(table, scope)) throw new PartitionError(`${table.type} with a subquery is not known here`);
      return ofNone(table, table.alias);
    default:
      throw new PartitionError(`${(table as { type: string }).type} in FROM is not known here`);
  }
}

/** With rows for every world, also where there were none of any. */
export function forEveryWorld(from: PartitionedFrom, scope: Scope): PartitionedFrom & { readonly world: Expression } {
  if (from.world !== undefined) return { ...from, world: from.world };
  const alias = scope.makeAlias();
  const worlds = baseTable(world, alias);
  const table = from.table.type === 'EMPTY' ? worlds : join(worlds, from.table, 'INNER', null);
  return { table, world: column(alias, world), relations: new Map([...from.relations, [alias, true]]) };
}

function ofNone(table: TableRef, name: string): PartitionedFrom {
  return { table, world: undefined, relations: new Map([[name, false]]) };
}

function ofWorlds(table: TableRef, name: string): PartitionedFrom {
  return { table, world: column(name, world), relations: new Map([[name, true]]) };
}

function partitionSubquery(table: SubqueryTable, scope: Scope, parts: FromParts): PartitionedFrom {
  if (!isOfWorlds(table.subquery.node, scope)) return ofNone(table, table.alias);
  const alias = table.alias === '' ? scope.makeAlias() : table.alias;
  const names = table.column_name_alias;
  if (names.length > 0 && names.length !== widthOf(table.subquery.node)) {
    throw new PartitionError(`${alias} does not name each of its columns`);
  }
  const subquery = { ...table.subquery, node: parts.query(table.subquery.node) };
  return ofWorlds(
    { ...table, alias, subquery, column_name_alias: names.length > 0 ? [...names, world] : names },
    alias,
  );
}

/** How many columns a query has; undefined where a star hides it. */
export function widthOf(node: QueryNode): number | undefined {
  if (node.type !== 'SELECT_NODE') return widthOf(node.left);
  return node.select_list.some(({ class: kind }) => kind === 'STAR') ? undefined : node.select_list.length;
}

function partitionJoin(table: Join, scope: Scope, parts: FromParts): PartitionedFrom {
  if (!['REGULAR', 'CROSS', 'ASOF'].includes(table.ref_type)) {
    throw new PartitionError(`a ${table.ref_type} join is not known here`);
  }
  let left = partitionFrom(table.left, scope, parts);
  let right = partitionFrom(table.right, scope, parts);
  const { join_type: type, ref_type: form } = table;
  if (!['INNER', 'LEFT', 'RIGHT', 'FULL', 'SEMI', 'ANTI'].includes(type)) {
    throw new PartitionError(`a ${type} join is not known here`);
  }
  const outer = type !== 'INNER' || form === 'ASOF';
  const asked = table.condition !== null && isOfWorlds(table.condition, scope);
  // a row that stands without a partner has to stand in every world
  if (left.world === undefined && ((right.world !== undefined && outer && type !== 'RIGHT') || asked)) {
    left = forEveryWorld(left, scope);
  }
  if (right.world === undefined && left.world !== undefined && (type === 'RIGHT' || type === 'FULL')) {
    right = forEveryWorld(right, scope);
  }
  const known = left.world ?? right.world;
  const condition = table.condition === null ? null : parts.expression(table.condition, known);
  const relations =
    type === 'SEMI' || type === 'ANTI' ? left.relations : new Map([...left.relations, ...right.relations]);
  const joined = { ...table, left: left.table, right: right.table, condition };
  if (left.world === undefined || right.world === undefined) return { table: joined, world: known, relations };
  const result = { world: worldOf(type, left.world, right.world), relations };
  if (table.using_columns.length > 0) {
    if (left.relations.size > 1) throw new PartitionError('USING behind several relations is not known here');
    return { ...result, table: { ...joined, using_columns: [...table.using_columns, world] } };
  }
  const same = equal(left.world, right.world);
  const ref_type = form === 'CROSS' ? 'REGULAR' : form;
  return { ...result, table: { ...joined, ref_type, condition: allOf(condition, same) } };
}

function worldOf(type: string, left: Expression, right: Expression): Expression {
  if (type === 'RIGHT') return right;
  return type === 'FULL' ? coalesce(left, right) : left;
}
