# Answers requests of benchmarks/stats.py on standard input: "NAME FILE TIMES" gives one line,
# CPU seconds (user and system) of the computation alone, and a number to compare.
suppressMessages({library(survival); library(cmprsk)})
data <- list()
compute <- list(
  km = function(d) { f <- survfit(Surv(t, e) ~ 1, d); sum(f$surv) + sum(f$upper, na.rm = TRUE) },
  log_rank = function(d) survdiff(Surv(t, e) ~ g, d)$chisq,
  cox = function(d) {
    f <- coxph(Surv(t, e) ~ g + x1 + x2 + x3, d, cluster = center)
    s <- summary(f); sum(s$coefficients[, "robust se"])
  },
  zph = function(d, fit) cox.zph(fit)$table["GLOBAL", "chisq"],
  cuminc = function(d) { f <- cuminc(d$t, d$s, d$g); f$Tests[1, "stat"] },
  fine_gray = function(d) { f <- crr(d$t, d$s, as.matrix(d[, c("x1", "x2", "x3")])); sum(sqrt(diag(f$var))) }
)
input <- file("stdin", "r")
repeat {
  line <- readLines(input, 1)
  if (!length(line)) break
  asked <- strsplit(line, " ")[[1]]
  if (is.null(data[[asked[2]]])) data[[asked[2]]] <- read.csv(asked[2], stringsAsFactors = TRUE)
  d <- data[[asked[2]]]
  extra <- if (asked[1] == "zph") list(coxph(Surv(t, e) ~ g + x1 + x2 + x3, d)) else list()
  start <- proc.time()
  times <- as.integer(asked[3])
  for (i in seq_len(times)) value <- do.call(compute[[asked[1]]], c(list(d), extra))
  spent <- (proc.time() - start) / times
  cat(sprintf("%.6f %.12g\n", spent[["user.self"]] + spent[["sys.self"]], value))
  flush(stdout())
}
