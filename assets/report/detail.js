/*
 * Tells below the time line of what a reader clicked or went to.
 */

/**
 * @param {Timeline} timeline
 * @param {Item} item
 * @param {readonly Mark[]} marks
 */
function tell(timeline, item, marks) {
  const noun = item.half === 'kernel' ? ['connection', 'connections'] : ['use', 'uses'];
  const owner = item.kind === 'row' ? item.parent : undefined;
  const first = [...marks].sort((a, b) => b.standing - a.standing || a.from - b.from).slice(0, 25);
  const more = marks.length - first.length;
  timeline.page.detail.replaceChildren(
    element('h3', {}, item.name),
    element('p', { class: 'none' }, owner === undefined ? item.title : owner.title),
    element(
      'p',
      {},
      `${count(marks.length)} ${marks.length === 1 ? noun[0] : noun[1]}${marks.length === 0 ? '' : ':'}`,
    ),
    element(
      'ul',
      {},
      ...first.map((mark) =>
        element('li', { class: standings[mark.standing] ?? '' }, ...tellMark(timeline, mark, item)),
      ),
    ),
    ...(more > 0
      ? [element('p', { class: 'none' }, `and ${count(more)} more: unfold, filter or zoom, or read report.json`)]
      : []),
  );
}

/**
 * @param {Timeline} timeline
 * @param {Mark} mark
 * @param {Item} item
 */
function tellMark(timeline, mark, item) {
  const { data } = timeline;
  const name = item.kind === 'row' ? '' : `${mark.row.name}, `;
  const start = clock(data, mark.from);
  const time = mark.until > mark.from ? `${start} – ${clock(data, mark.until)}` : start;
  const parts = [
    element('span', { class: 'tag' }, told[mark.standing] ?? ''),
    ` ${time} ${name}${mark.remark} `,
    cite(data, mark.id),
  ];
  const { other } = mark;
  if (other !== undefined) {
    const toOther = button('show its connection');
    toOther.addEventListener('click', () => pick(timeline, other));
    parts.push(' ', toOther);
  }
  return parts;
}

/**
 * A link to the record, where the page shows it.
 * @param {Data} data
 * @param {string} id
 */
function cite({ records }, id) {
  const known = Object.keys(records).find((record) => record === id || record.slice(record.indexOf('#') + 1) === id);
  const code = element('code', {}, id);
  return known === undefined ? code : element('a', { href: `#record-${records[known]}` }, code);
}

/**
 * @param {Data} data
 * @param {number} time
 */
function clock(data, time) {
  return new Date(data.from + time).toISOString().slice(11, 23);
}
