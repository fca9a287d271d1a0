/* Shows the copy buttons, which are of no use without this script, and copies. */
for (const button of document.querySelectorAll('.copy')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const source = document.getElementById(button.dataset.copies);
    const label = button.firstChild;
    try {
      await navigator.clipboard.writeText(source.textContent);
      label.data = 'Copied';
    } catch {
      getSelection().selectAllChildren(source);
      label.data = 'Selected';
    }
    setTimeout(() => { label.data = 'Copy'; }, 2000);
  });
}
