// Sends the page's one form on its way; where scripts do not run, its button does.
document.querySelector("form[data-autosubmit]")?.requestSubmit();
