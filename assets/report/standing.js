/*
 * How a connection or use stands: a number from 0, and what is said of it.
 */

/** Names of classes, too. The last two stand out. */
const standings = ['matched', 'quiet', 'doubt', 'breach'];
const told = ['matched with its other half', 'needs no other half', 'in doubt', 'part of a breach'];

/** @param {readonly Mark[]} marks */
function worstOf(marks) {
  let worst = 0;
  for (const { standing } of marks) if (standing > worst) worst = standing;
  return worst;
}

/**
 * What needs nothing is painted first, a breach last.
 * @param {number} standing
 */
function paintOrder(standing) {
  return [1, 0, 2, 3][standing] ?? 3;
}
