/** The look of `/docs`: light or dark as the reader's system is, one column on a phone, two beside the contents elsewhere. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1c2430; --soft: #5b6675; --faint: #8a94a3; --paper: #ffffff; --panel: #f6f7f9; --line: #e4e7ec;
  --accent: #0a63d8; --code: #10151d; --code-ink: #e3e9f2; --code-soft: #93a1b5; --mark: #b42318;
  --get: #0b7a4b; --post: #0a63d8; --patch: #9a5b00; --delete: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6eaf0; --soft: #a3adbb; --faint: #77818f; --paper: #12161c; --panel: #1a2028; --line: #2a323d;
    --accent: #6db1ff; --code: #0b0e13; --code-ink: #dbe3ee; --code-soft: #8391a5; --mark: #ff8a7a;
    --get: #4fc98f; --post: #6db1ff; --patch: #e3a64a; --delete: #ff8a7a;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: .875em; overflow-wrap: anywhere; }
p code, li code, dd code, td code { background: var(--panel); border-radius: 4px; padding: .1em .35em; }
p, ul { margin: 0 0 1rem; max-width: 46rem; }
ul { padding-left: 1.25rem; }
h1 { font-size: 2.1rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 .5rem; }
h2 { font-size: 1.5rem; line-height: 1.3; letter-spacing: -.01em; margin: 0 0 .75rem; }
h3 { font-size: 1.15rem; margin: 0 0 .5rem; }
h3 a { color: inherit; }
h4 { font-size: .8rem; text-transform: uppercase; letter-spacing: .06em; color: var(--soft); margin: 1.5rem 0 .25rem; }
.top {
  position: sticky; top: 0; z-index: 2; height: 3.5rem; padding: 0 1.5rem; display: flex; align-items: center; gap: .75rem;
  background: var(--paper); border-bottom: 1px solid var(--line); color: var(--soft);
}
.brand { font-weight: 700; color: var(--ink); }
.raw { margin-left: auto; font-size: .9rem; }
.side {
  position: fixed; top: 3.5rem; bottom: 0; left: 0; width: 17.5rem; overflow-y: auto; padding: 1.25rem 1rem 3rem 1.5rem;
  border-right: 1px solid var(--line); overscroll-behavior: contain;
}
.side h2, .contents h2 { font-size: .85rem; letter-spacing: 0; margin: 1.1rem 0 .25rem; color: var(--ink); }
.side h2 a, .contents h2 a { color: inherit; }
.side ul, .contents ul { list-style: none; margin: 0; padding: 0; }
.side li a, .contents li a {
  display: flex; align-items: baseline; gap: .5rem; justify-content: space-between; padding: .15rem .5rem; margin-left: -.5rem;
  border-radius: 5px; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere;
}
.side li a:hover, .contents li a:hover { background: var(--panel); color: var(--ink); text-decoration: none; }
.contents { display: none; }
main { margin-left: 17.5rem; padding: 2.5rem 2.5rem 6rem; max-width: 82rem; }
.lead { font-size: 1.15rem; color: var(--soft); margin-bottom: 2rem; }
section { padding-top: 1.5rem; margin-bottom: 1.5rem; }
main > section + section { border-top: 1px solid var(--line); padding-top: 2.5rem; }
article { padding: 1.75rem 0; border-top: 1px solid var(--line); }
article:target > h3, section:target > h2 { color: var(--accent); }
.where { margin: 0 0 1rem; font-size: 1.02rem; }
.method { font: 700 .68rem/1 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .03em; flex: none; }
.where .method { border: 1px solid currentColor; border-radius: 4px; padding: .2rem .4rem; margin-right: .35rem; vertical-align: .1em; }
.get { color: var(--get); } .post { color: var(--post); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.scope { color: var(--soft); font-size: .92rem; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 30rem); gap: 2.5rem; align-items: start; }
.examples { position: sticky; top: 4.75rem; }
.fields { margin: 0; max-width: 46rem; }
.fields > div { padding: .55rem 0; border-top: 1px solid var(--line); }
.fields > div:first-child { border-top: 0; }
dt > code, dd dt > code { font-weight: 600; font-size: .9rem; color: var(--ink); background: none; padding: 0; }
dd { margin: .1rem 0 0; color: var(--soft); font-size: .94rem; }
dd .fields { margin: .5rem 0 .25rem; padding-left: .9rem; border-left: 2px solid var(--line); }
.type, .optional { color: var(--faint); font-size: .85rem; }
.required { color: var(--mark); font-size: .78rem; font-weight: 600; }
.values { color: var(--soft); }
figure { margin: 0 0 1rem; border-radius: 8px; overflow: hidden; background: var(--code); border: 1px solid var(--line); }
figcaption { padding: .45rem .9rem; font-size: .75rem; color: var(--code-soft); border-bottom: 1px solid rgb(255 255 255 / .09); }
pre { margin: 0; padding: .8rem .9rem; overflow: auto; max-height: 30rem; color: var(--code-ink); font-size: .82rem; line-height: 1.55; }
pre code { font-size: inherit; overflow-wrap: normal; }
details { margin-top: 1.25rem; }
summary { cursor: pointer; color: var(--soft); font-size: .92rem; font-weight: 600; }
.scrolls { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin-top: .5rem; }
td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0; border-top: 1px solid var(--line); color: var(--soft); }
tr:first-child td { border-top: 0; }
td:nth-child(2) { white-space: nowrap; }
@media (max-width: 75rem) {
  .columns { grid-template-columns: minmax(0, 1fr); gap: 1rem; }
  .examples { position: static; }
}
@media (max-width: 56rem) {
  html { scroll-padding-top: 1rem; }
  .top { position: static; padding: 0 1.1rem; }
  .side { display: none; }
  .contents { display: block; border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; margin-bottom: 1.5rem; }
  .contents li a { padding: .45rem .5rem; }
  main { margin-left: 0; padding: 1.5rem 1.1rem 4rem; }
  h1 { font-size: 1.75rem; }
  tr { display: block; padding: .5rem 0; border-top: 1px solid var(--line); }
  tr:first-child { border-top: 0; }
  td { border: 0; padding: 0 .5rem 0 0; }
  td:nth-child(3) { display: block; }
}
@media print {
  .top, .side, .contents { display: none; }
  main { margin: 0; padding: 0; }
  pre { max-height: none; white-space: pre-wrap; }
}
`;
