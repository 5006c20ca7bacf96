import type { ListedTask } from '../model/listed-task.ts';
import { type OpenClaim, type Reason, toReasons } from './index-page-reasons.ts';
import { kindOf, type TaskLink } from './index-page-task.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { clip } from './visible.ts';
import { claimSentence, plural } from './words.ts';

/** More than there are claims: what a summary names beyond them is none of ours. */
const mostClaims = 24;
const mostCodes = 12;

/** Claims and finding codes, what keeps most tasks open first; `tasks` in the order in which they were declared. */
export function renderReasons(tasks: readonly ListedTask[], link: TaskLink): Markup {
  const { claims, counted, untold } = toReasons(tasks);
  const most = claims[0]?.tasks ?? 1;
  const old =
    untold === 0
      ? nothing
      : markup`<p class="lead">Of ${plural(untold, 'more task')} it was not kept why: an older version judged them. Judged again, they are counted too.</p>`;
  const more =
    claims.length > mostClaims
      ? markup`<p class="none">and ${plural(claims.length - mostClaims, 'more claim')}</p>`
      : nothing;
  const body =
    claims.length === 0
      ? markup`<p class="none">Nothing: no task is held up by a finding.</p>`
      : markup`<ol class="reasons">${claims.slice(0, mostClaims).map((claim) => renderClaim(claim, most, link))}</ol>${more}`;
  return markup`<section id="open"><h2>What keeps tasks from being proven</h2>
<p class="lead">Counted over ${plural(counted, 'task')} that ${counted === 1 ? 'was' : 'were'} judged and not proven: in how many a claim is open, and by which finding. “Alone” are those that nothing else holds up.</p>${old}
${body}</section>`;
}

function renderClaim({ claim, tasks, reasons }: OpenClaim, most: number, link: TaskLink): Markup {
  const id = clip(claim, 60);
  const sentence = clip(claimSentence(claim), 120);
  const more =
    reasons.length > mostCodes
      ? markup`<li class="none">and ${plural(reasons.length - mostCodes, 'more code')}</li>`
      : nothing;
  return markup`<li><p class="claimed"><b>${sentence}</b> <code>${id}</code> <span>${plural(tasks, 'task')}</span></p>
<ul>${reasons.slice(0, mostCodes).map((reason) => renderReason(reason, most, link))}${more}</ul></li>
`;
}

function renderReason(reason: Reason, most: number, link: TaskLink): Markup {
  const { code, tasks, alone, findings, example } = reason;
  const kind = kindOf(reason.kind);
  const length = Math.max(4, Math.floor((tasks / most) * 10_000) / 10);
  return markup`<li class="${kind}"><span class="coded"><code class="code">${clip(code, 60)}</code> <span class="tag">${kind}</span></span>
<svg class="rank" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true"><rect class="rail" width="1000" height="12"/><rect class="fill" width="${length}" height="12"/></svg>
<span class="much"><b>${plural(tasks, 'task')}</b>, ${alone === 0 ? 'never alone' : `${alone} alone`}<small>${plural(findings, 'finding')}</small></span>
<span class="example"><small>newest</small>${link(example, 48)}</span></li>
`;
}
