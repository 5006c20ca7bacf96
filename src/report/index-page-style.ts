import { colours, text } from './html-style.ts';

const head = `
.unjudged{--tone:var(--soft);--tint:var(--faint)}
.verdict{background:var(--card);border:1px solid var(--line);border-left:8px solid var(--tone);border-radius:10px;padding:22px 28px 24px}
.kicker{color:var(--soft);font-size:14px;overflow-wrap:anywhere}.chosen{--tone:var(--ink);--tint:var(--faint);white-space:normal;border:1px solid var(--line)}
h1{display:flex;align-items:center;gap:16px;font-size:44px;line-height:1.15;font-weight:700;letter-spacing:-.025em;margin:8px 0 12px}
h1.plain{font-size:32px}
h3{font-size:15px;margin:24px 0 8px}
.seal{display:inline-flex;flex:none;align-items:center;justify-content:center;width:48px;height:48px;border-radius:50%;background:var(--tone);color:var(--card);font-size:28px;letter-spacing:0}
.why{font-size:19px;line-height:1.45;max-width:72ch}.meaning{color:var(--soft);margin-top:8px;max-width:78ch}
.counts{display:grid;grid-template-columns:repeat(5,1fr);gap:1px;background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden;margin-top:16px}
.counts>div{background:var(--card);padding:12px 18px}.counts dt{color:var(--soft);font-size:12.5px;font-weight:600}
.counts dd{display:flex;align-items:baseline;gap:9px;font-size:26px;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.01em}.counts .mark{font-size:18px}
.mark{font-style:normal;font-weight:700;color:var(--tone)}
.soft{color:var(--soft);font-size:13.5px}
.open ul{list-style:none;padding:0;margin-top:8px}.open li{display:flex;gap:12px;padding:7px 0;border-top:1px solid var(--line)}.open li a{font-weight:600;color:var(--ink);margin-right:6px}
.code{color:var(--tone)}a{overflow-wrap:anywhere}
`;

const chart = `
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px 16px}
.axes{display:grid;grid-template-columns:auto 1fr;gap:10px}
.scale{display:flex;flex-direction:column;justify-content:space-between;text-align:right;color:var(--soft);font-size:12px;line-height:1;height:182px;padding-top:4px;font-variant-numeric:tabular-nums}
.bars{display:block;width:100%;height:180px;overflow:visible}
.grid{fill:none;stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.part{stroke:var(--tone);stroke-width:1;vector-effect:non-scaling-stroke;fill:var(--tint)}
.part.violated{fill:var(--tone)}.part.unproven{fill:url(#stripes)}.part.pending{fill:url(#lines)}.part.unjudged{fill:none;stroke-dasharray:3 2}
.under{fill:var(--tint)}.over{fill:var(--tone)}
.bars g:hover .part{stroke-width:2.5}
.dates{display:flex;justify-content:space-between;color:var(--soft);font-size:12px;margin:6px 0 0 28px;font-variant-numeric:tabular-nums}
figcaption{display:flex;flex-wrap:wrap;gap:6px 22px;margin-top:14px;padding-top:12px;border-top:1px solid var(--line);font-size:13.5px}
figcaption span{display:inline-flex;align-items:center;gap:7px}
`;

const reasons = `
.reasons{list-style:none;margin:0;padding:0;border:1px solid var(--line);border-radius:10px;background:var(--card);overflow:hidden}
.reasons>li{padding:12px 18px 10px;border-top:1px solid var(--line)}.reasons>li:first-child{border-top:0}
.claimed{display:flex;flex-wrap:wrap;gap:2px 10px;align-items:baseline}.claimed b{font-weight:600}.claimed code{color:var(--soft)}.claimed span{margin-left:auto;color:var(--soft);font-size:13.5px}
.reasons ul{list-style:none;padding:0}
.reasons ul li{display:grid;grid-template-columns:270px 1fr 170px 190px;gap:4px 16px;align-items:center;padding:4px 0 4px 14px}
.coded{display:flex;flex-wrap:wrap;gap:2px 8px;align-items:center;min-width:0}.coded code{overflow-wrap:anywhere}
.rank{display:block;width:100%;height:10px;border-radius:3px}.rail{fill:var(--faint)}.fill{fill:var(--tone)}
.much{font-size:13.5px}.example small{display:inline;margin-right:6px}
.example{font-size:13.5px;min-width:0;overflow-wrap:anywhere}
`;

const tables = `
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--card)}
table{width:100%;min-width:960px;border-collapse:collapse;font-size:14px}table.small{min-width:620px}
thead th{text-align:left;color:var(--soft);font-size:12.5px;font-weight:600;background:var(--faint);white-space:nowrap}
th,td{padding:8px 14px;vertical-align:top;text-align:left}tbody th,td{border-top:1px solid var(--line)}
tbody tr:first-child>*{border-top:0}tbody th{font-weight:600;overflow-wrap:anywhere;unicode-bidi:isolate}tbody th small{font-weight:400}
.name{min-width:180px;max-width:300px}
th.number,td.number{text-align:right;font-variant-numeric:tabular-nums}
.time{font-variant-numeric:tabular-nums}.time,.seen{white-space:nowrap}
.names{list-style:none;padding:0}.fold>summary{cursor:pointer;color:var(--link);padding:8px 0}
.share{font-weight:600;margin-left:4px}.meter,.strip{vertical-align:middle}.strip{display:block}
.run{fill:var(--tone);stroke:var(--tone)}.run.unjudged{fill:none}
tr:target{background:var(--faint);outline:2px solid var(--link);outline-offset:-2px}
.pages{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:6px 18px;font-variant-numeric:tabular-nums}
.filter{display:none;border:0;margin:0 0 12px;padding:0;gap:6px 18px;flex-wrap:wrap;font-size:14px;color:var(--soft)}
.filter legend{float:left;padding:0;margin-right:2px}.filter label{cursor:pointer}.filter b{color:var(--ink);font-weight:600}
@supports selector(:has(*)){.filter{display:flex}}
section:has(#show-violated:checked) tbody tr:not(.is-violated),section:has(#show-unproven:checked) tbody tr:not(.is-unproven),
section:has(#show-pending:checked) tbody tr:not(.is-pending),section:has(#show-unjudged:checked) tbody tr:not(.is-unjudged),
section:has(#show-proven:checked) tbody tr:not(.is-proven){display:none}
`;

const media = `
@media screen and (max-width:900px){.reasons ul li{grid-template-columns:1fr 1fr;padding:8px 0 8px 8px}.rank{grid-column:1/-1;grid-row:2}.claimed span{margin-left:0}}
@media screen and (max-width:760px){main{padding:14px 12px}.verdict{padding:18px}h1{font-size:34px;gap:12px}h1.plain{font-size:26px}.seal{width:38px;height:38px;font-size:22px}.why{font-size:17px}
.counts{grid-template-columns:1fr 1fr}.counts>div{padding:9px 14px}.counts>div:last-child{grid-column:1/-1}.counts dd{font-size:21px}.card{padding:14px 12px}.dates span:nth-child(2){display:none}.reasons>li{padding:12px}}
@media print{:root{--page:#fff;--card:#fff;--faint:#f4f4f4;--ink:#000}body{font-size:11px}main{max-width:none;padding:0}nav,.filter{display:none!important}
.scroll{overflow:visible}table,table.small{min-width:0;font-size:10px}th,td{padding:4px 6px}small{font-size:9.5px}.time,.seen,.tag{white-space:normal}.name{min-width:96px}.reasons ul li{grid-template-columns:190px 1fr 120px 120px}.card{padding:10px}.soft,.much,.example,.claimed span,.tag,figcaption,.pages{font-size:10px}h1{font-size:32px}.why{font-size:14px}section{margin-top:22px}
h2,h3,.lead{break-after:avoid}tr,.reasons>li,figure,.verdict{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;

/** The whole style of each page; the policy names its digest. */
export const indexStyle = colours + text + head + chart + reasons + tables + media;
