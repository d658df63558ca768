/** How the report looks: on a bright or a dark screen, and on paper, where everything that was folded is open. */
export const style = `
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fbfaf7;--card:#fff;--line:#d8d3c8;--dim:#5c5a54;--mark:#ffe08a;--mark-ink:#1a1a1a;--token:#eceae4;
--critical:#8f0f2a;--high:#b3261e;--medium:#8a4b00;--low:#1d4ed8;--info:#5c5a54;--good:#1b6e3c}
@media(prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#17181a;--card:#1f2124;--line:#3c3e43;--dim:#a9a9a4;--mark:#6b5200;--mark-ink:#fff6da;--token:#34363b;
--critical:#ff8fa3;--high:#ff9a91;--medium:#ffcf8a;--low:#8ab4ff;--info:#a9a9a4;--good:#86d9a5}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.25rem;line-height:1.3;margin:0;overflow-wrap:anywhere}
h3{font-size:1rem;margin:1.25rem 0 .5rem;overflow-wrap:anywhere}
.server>h3{text-transform:capitalize}
p{margin:.5rem 0;overflow-wrap:anywhere}
a{color:inherit}
.dim,footer,dt,caption{color:var(--dim)}
code,pre,.how{font-family:ui-monospace,monospace;font-size:.875rem;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;margin:1rem 0}
caption{text-align:start;padding-bottom:.25rem}
th,td{text-align:start;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;margin:1rem 0;padding:0}
.counts li,.badge{border:1px solid currentColor;border-radius:.375rem;padding:.05rem .5rem;font-weight:600;white-space:nowrap}
.server{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1.25rem;margin:1.5rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:.75rem 0}
dd{margin:0;overflow-wrap:anywhere;min-width:0}
.texts{grid-template-columns:minmax(8rem,30%) 1fr}
.texts dt{overflow-wrap:anywhere}
.texts pre{margin:0}
.finding{border-inline-start:.25rem solid currentColor;padding:.1rem 0 .1rem .75rem;margin:.75rem 0}
.finding>*{color:var(--ink)}
.finding .dim{color:var(--dim)}
pre{margin:.5rem 0;padding:.6rem .75rem;background:var(--paper);border:1px solid var(--line);border-radius:.375rem;white-space:pre-wrap;max-height:32rem;overflow:auto;unicode-bidi:isolate}
mark{background:var(--mark);color:var(--mark-ink);border-radius:.15rem}
.token{background:var(--token);color:var(--ink);border-radius:.15rem;font-size:.8em}
details{margin:.75rem 0}
summary{cursor:pointer;font-weight:600}
.critical{color:var(--critical)}.high{color:var(--high)}.medium{color:var(--medium)}.low{color:var(--low)}.info{color:var(--info)}.good{color:var(--good)}
footer{margin-top:2.5rem;font-size:.875rem}
td:first-child,th:first-child{min-width:6rem}
@media(max-width:36rem){dl,.texts{grid-template-columns:1fr;gap:0}dd{padding-bottom:.5rem}}
@media print{:root{--paper:#fff;--card:#fff}main{max-width:none;padding:0}.finding,tr{break-inside:avoid}pre{max-height:none;overflow:visible}details::details-content{content-visibility:visible;block-size:auto}}
`
