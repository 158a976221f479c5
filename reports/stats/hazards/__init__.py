"""Cox models as R's `coxph`: one engine of cumulative sums over sorted times."""
