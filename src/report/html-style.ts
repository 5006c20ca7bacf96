/** Lookups of colour go through variables, so that dark mode and print change them in one place. */
export const colours = `
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#1d2127;--soft:#5b636e;--line:#dfe1e4;--faint:#eef0f1;--link:#1f5a94;
--proven:#1a7446;--proven-bg:#e6f3eb;--violated:#b3261e;--violated-bg:#fbe9e7;--unproven:#8a5a00;--unproven-bg:#fdf2d8;--pending:#215fa6;--pending-bg:#e6eff9;
--matched:#3a6f9e;--quiet:#8d97a3;--life:#d3d8dd}
@media (prefers-color-scheme:dark){:root{--page:#14171b;--card:#1b1f24;--ink:#e4e7ea;--soft:#9aa4af;--line:#30363d;--faint:#23282e;--link:#7fb3e6;
--proven:#5cc48c;--proven-bg:#16301f;--violated:#f2837a;--violated-bg:#3a1c1a;--unproven:#e0b054;--unproven-bg:#352a12;--pending:#7db3ee;--pending-bg:#172a40;
--matched:#6fa8d8;--quiet:#6b7682;--life:#3a424b}}
.proven{--tone:var(--proven);--tint:var(--proven-bg)}.violated,.breach{--tone:var(--violated);--tint:var(--violated-bg)}
.unproven,.doubt{--tone:var(--unproven);--tint:var(--unproven-bg)}.pending,.waiting{--tone:var(--pending);--tint:var(--pending-bg)}
.matched{--tone:var(--matched)}.quiet{--tone:var(--quiet)}.note{--tone:var(--soft);--tint:var(--faint)}
`;

export const text = `
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;overflow-wrap:anywhere;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1200px;margin:0 auto;padding:28px 24px 8px}
footer{max-width:1200px;margin:0 auto;padding:12px 24px 40px;color:var(--soft);font-size:13px}
h1,h2,p,dl,dd,ul,figure,pre{margin:0}
h2{font-size:20px;font-weight:650;letter-spacing:-.01em;margin:0 0 4px}
p{text-wrap:pretty}
section{margin:44px 0 0;scroll-margin-top:16px}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
code,pre,.id{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.88em}
code,.id,b,p,dd{overflow-wrap:anywhere;unicode-bidi:isolate}td{overflow-wrap:break-word;unicode-bidi:isolate}
small{display:block;color:var(--soft);font-size:12.5px}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:14px 0;white-space:pre-wrap;overflow-wrap:anywhere}
#check p{max-width:78ch}
.lead{color:var(--soft);max-width:78ch;margin:0 0 14px}.none{color:var(--soft)}
nav{display:flex;flex-wrap:wrap;gap:4px 20px;margin:28px 0 0;padding:12px 0;border-block:1px solid var(--line);font-size:14px}
.chip{display:inline-flex;flex:none;align-items:center;justify-content:center;width:22px;height:22px;border-radius:5px;background:var(--tint);color:var(--tone);font-weight:700;font-size:13px;line-height:1}
.tag{display:inline-block;padding:0 7px;border-radius:9px;background:var(--tint);color:var(--tone);font-size:12px;font-weight:600;white-space:nowrap}
`;

const summary = `
.verdict{background:var(--card);border:1px solid var(--line);border-left:8px solid var(--tone);border-radius:10px;padding:24px 28px 26px}
.kicker{color:var(--soft);font-size:14px}
h1{display:flex;align-items:center;gap:16px;color:var(--tone);font-size:52px;line-height:1.15;font-weight:700;letter-spacing:-.025em;margin:8px 0 12px}
.seal{display:inline-flex;align-items:center;justify-content:center;width:52px;height:52px;border-radius:50%;background:var(--tone);color:var(--card);font-size:30px;letter-spacing:0}
.meaning{font-size:20px;line-height:1.4;max-width:66ch}
.why{margin-top:10px;max-width:84ch}.why strong{font-weight:650}
.facts{display:grid;grid-template-columns:repeat(3,1fr);gap:1px;background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden;margin-top:16px}
.facts>div{background:var(--card);padding:14px 18px}
.facts dt{color:var(--soft);font-size:12.5px;font-weight:600}
.facts b{display:block;font-size:17px;font-weight:600}.facts b.id{font-size:13.5px;font-weight:500;line-height:1.4}
.facts dd>span,.facts dd>a{display:block;color:var(--soft);font-size:13.5px;overflow-wrap:anywhere}.facts dd>a{color:var(--link)}
.facts .strip{display:flex;flex-wrap:wrap;gap:3px;margin-top:6px}.facts .chip{width:19px;height:19px;font-size:12px}
.open{margin-top:28px}.open ul{list-style:none;padding:0;margin-top:8px}
.open li{display:flex;gap:12px;padding:8px 0;border-top:1px solid var(--line)}.open li a{font-weight:600;color:var(--ink);margin-right:8px}.open li p{color:var(--soft)}.open li>div{min-width:0}.open li a,.open .result{overflow-wrap:anywhere}
`;

const claims = `
.claims{border:1px solid var(--line);border-radius:10px;background:var(--card);overflow:hidden}
.claim{border-top:1px solid var(--line)}.claim:first-child{border-top:0}
summary{cursor:pointer}
.claim>summary{display:grid;grid-template-columns:22px 1fr auto 84px 124px;gap:14px;align-items:center;padding:9px 18px;list-style:none}
.claim>summary::-webkit-details-marker{display:none}.claim>summary:hover{background:var(--faint)}
.claim .what{font-weight:550;min-width:0;overflow-wrap:anywhere}.claim .what code{color:var(--soft);font-weight:400;margin-left:6px}
.told,.basis{color:var(--soft);font-size:13px}.result,.basis{min-width:0;overflow-wrap:anywhere}.result{color:var(--tone);font-weight:650;font-size:14px}
.claim>.none{padding:0 18px 12px 54px}
.finding{margin:2px 18px 14px 54px;padding:10px 14px;border-left:3px solid var(--tone);background:var(--faint);border-radius:0 6px 6px 0}
.kind{color:var(--tone);font-weight:650;font-size:13px}.head code{color:var(--soft)}.when{color:var(--soft);font-size:13.5px}
`;

const tables = `
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--card)}
table{width:100%;min-width:900px;border-collapse:collapse;font-size:14px}
th{text-align:left;color:var(--soft);font-size:12.5px;font-weight:600;background:var(--faint);white-space:nowrap}
th,td{padding:8px 14px;vertical-align:top}td{border-top:1px solid var(--line);min-width:84px}
tbody tr:first-child td{border-top:0}
.time{white-space:nowrap;font-variant-numeric:tabular-nums}
.names{list-style:none;padding:0}.fold>summary{color:var(--link);padding:4px 0 10px}
.depth1{padding-left:14px}.depth2{padding-left:28px}.depth3{padding-left:42px}.depth4{padding-left:56px}
.depth5{padding-left:70px}.depth6{padding-left:84px}.depth7{padding-left:98px}.depth8{padding-left:112px}
.named{display:grid;grid-template-columns:minmax(140px,auto) 1fr;gap:6px 20px}.limits{padding-left:20px;max-width:90ch}.limits li{margin:4px 0}
`;

const timeline = `
#timeline .scroll{padding:12px 14px}
.timeline{display:block;width:100%;min-width:860px;height:auto;font-size:12.5px}
.timeline text{fill:var(--ink)}.timeline .half{font-size:14px;font-weight:650}
.timeline .name{font-weight:550}.timeline text.row{fill:var(--soft)}.timeline text.row.doubt,.timeline text.row.breach{fill:var(--tone);font-weight:650}
.timeline text.tick{fill:var(--soft);font-size:11.5px;text-anchor:middle;font-variant-numeric:tabular-nums}.timeline text.first{text-anchor:start}
line.tick{stroke:var(--faint)}.rule{stroke:var(--line)}.window{stroke:var(--quiet);stroke-dasharray:2 3}
.life{fill:var(--life)}.life.open{fill:none;stroke:var(--life);stroke-dasharray:4 3}
.bar{fill:var(--tone);stroke:var(--card);stroke-width:.5}.bar.open{fill-opacity:.6}
.bar.doubt{fill:var(--tint);stroke:var(--tone);stroke-width:1.5;stroke-dasharray:3 2}
.cross{stroke:var(--violated);stroke-width:2;fill:none}
.dot{fill:var(--tone);stroke:var(--tone);stroke-width:1.5}.dot.open,.dot.doubt{fill:var(--card)}.dot.doubt{stroke-dasharray:3 1.5}
.timeline .count{fill:var(--soft);font-size:11px}
.join{stroke:var(--matched);stroke-width:1;opacity:.45;fill:none}.join.shared{stroke-dasharray:3 3}.crowded .join{opacity:.2}
.hatch{stroke:var(--unproven);stroke-width:2;opacity:.35}rect.gap{fill:url(#hatch);stroke:var(--unproven);stroke-opacity:.5}
.timeline text.gap{fill:var(--unproven);font-size:11.5px;font-weight:650;text-anchor:middle;paint-order:stroke;stroke:var(--card);stroke-width:4px}
.cover{fill:var(--proven);opacity:.55}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;margin:12px 0 4px;color:var(--soft);font-size:13px}
.legend span{display:inline-flex;align-items:center;gap:7px}.legend svg{flex:none;overflow:visible}
.none-seen{position:absolute}.lifetime{min-width:216px}.lifetime small{white-space:nowrap}
svg.small{display:block;overflow:visible;margin:2px 0 4px;max-width:100%}
`;

/** The time line as assets/report/ makes it. */
const live = `
.keys{display:none;font-size:13px;margin-top:6px}
.js .keys{display:block}.js .still{display:none}
.tools{display:flex;flex-wrap:wrap;gap:8px 18px;align-items:center;margin:0 0 10px;font-size:14px}
.tools label{display:inline-flex;align-items:center;gap:7px}.tools .search{flex:1 1 300px}
input[type=search]{flex:1;min-width:0;font:inherit;color:inherit;background:var(--card);border:1px solid var(--quiet);border-radius:7px;padding:5px 10px}
.tools button,.detail button{font:inherit;font-size:13.5px;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:7px;padding:4px 11px;min-height:28px;cursor:pointer}
.tools button:hover,.detail button:hover{background:var(--faint)}
.zoom,.folding{display:inline-flex;gap:4px}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
.stage{position:relative;border:1px solid var(--line);border-radius:10px;background:var(--card);overflow:hidden}
.live .timeline{min-width:0;width:auto;height:auto}.axis{border-bottom:1px solid var(--line)}
.half-box{position:relative;border-bottom:1px solid var(--line)}
.back,.live .overlay{position:absolute;inset:0 auto auto 0;pointer-events:none}.back{pointer-events:auto}
p.half{position:relative;font-size:13.5px;font-weight:650;padding:7px 10px 5px;pointer-events:none}
.pane{position:relative;contain:content;overflow-y:auto;overflow-x:hidden;scrollbar-width:thin}
.kernel .pane{max-height:min(56vh,620px)}.provider .pane{max-height:min(34vh,360px)}
.space{position:relative}.line{position:absolute;left:0;right:0;height:24px;display:flex;align-items:center}
.line.lane,.line.group{border-top:1px solid var(--faint)}.line:hover{background:color-mix(in srgb,var(--faint) 60%,transparent)}
.label{flex:none;height:24px;border:0;background:none;margin:0 10px 0 0;padding:0 4px 0 8px;text-align:left;font:inherit;font-size:13px;font-weight:550;color:var(--ink);cursor:pointer;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;unicode-bidi:isolate}
.label.row{font-weight:400;color:var(--soft)}.label.doubt,.label.breach{color:var(--tone);font-weight:650}.label:focus-visible{outline-offset:-2px}
.caret{display:inline-block;width:15px;color:var(--soft)}
.plot{flex:none;overflow:visible}.plot .bar,.plot .dot{cursor:pointer}.picked{stroke:var(--ink);stroke-width:2.5}
.join.far{stroke-dasharray:1 4}.overlay .join.picked,.crowded .join.picked{stroke:var(--ink);stroke-width:2;opacity:.9}
.brush{position:absolute;top:0;bottom:0;background:var(--link);opacity:.16;pointer-events:none}
.covered{display:block;padding:0}.status{color:var(--soft);font-size:13px;margin-top:8px}
.detail{margin-top:10px}.detail:empty{display:none}.detail{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px;font-size:14px}
.detail h3{margin:0;font-size:15px;overflow-wrap:anywhere;unicode-bidi:isolate}.detail ul{list-style:none;padding:0}.detail li{padding:4px 0;border-top:1px solid var(--faint);overflow-wrap:anywhere}
.detail .tag{background:none;padding:0}
`;

const records = `
.record{border-top:1px solid var(--line);font-size:13.5px}.record:first-of-type{border-top:0}.record>summary{padding:5px 0;color:var(--link);overflow-wrap:anywhere}
.record>div{padding:2px 0 12px;scroll-margin-top:48px}.record dl{display:grid;grid-template-columns:auto 1fr;gap:2px 16px}.record dt{color:var(--soft)}
.record pre{margin:8px 0 4px;padding:10px 12px;font-size:12px;line-height:1.45;max-height:420px;overflow:auto}
.records{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:6px 18px}
.evidence{margin-top:8px;font-size:13px}.evidence .head{color:var(--soft);font-size:12.5px;font-weight:600}.cited{padding:5px 0}
`;

const media = `
@media screen and (max-width:760px){main{padding:14px 12px}.verdict{padding:18px}h1{font-size:36px}.seal{width:38px;height:38px;font-size:22px}.meaning{font-size:17px}
.facts{grid-template-columns:1fr}.facts>div{display:grid;grid-template-columns:104px 1fr;padding:8px 14px}.facts b{font-size:15px}.js .keys{display:none}.tools .search{flex-basis:100%}.claim>summary{grid-template-columns:22px 1fr auto;gap:10px;padding:9px 12px}.told,.basis{display:none}
.finding,.claim>.none{margin-left:12px;padding-left:12px}.named{grid-template-columns:1fr}}
@media screen and (min-width:761px) and (max-width:1000px){.facts{grid-template-columns:repeat(2,1fr)}}
@media print{:root{--page:#fff;--card:#fff;--faint:#f4f4f4;--ink:#000}body{font-size:11px}main{max-width:none;padding:0}nav,.live,.js .keys,.tools{display:none}.js .still{display:block}.record pre{max-height:200px;overflow:hidden;font-size:9px}.note .record pre{display:none}.record,.record code,.evidence .head,.basis,.told,.legend,.when{font-size:10px}#timeline{break-before:page;margin-top:0}
.scroll{overflow:visible}table,.timeline{min-width:0}.meaning{font-size:14px}h1{font-size:34px}.lines{display:none}h2,.lead{break-after:avoid}table,small,.facts dd>span,.result,.kind{font-size:10px}th,td{padding:4px 6px}section{margin-top:24px}.facts b,h2{font-size:13px}.none,.lead{font-size:11px}.claim>summary{padding:4px 10px}.claim>.none{display:none}tr,.finding,.verdict{break-inside:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}details::details-content{content-visibility:visible;block-size:auto}}
`;

/** The page's whole style; the policy names its digest, so it may not be changed on the way. */
export const pageStyle = colours + text + summary + claims + tables + timeline + live + records + media;
