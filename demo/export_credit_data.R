# Write credit_data.csv from the data set credit_data of the R package
# modeldata (Debian: r-cran-modeldata):
#
#     Rscript demo/export_credit_data.R
#
# Values are left as the package has them; only an id is added (the row's
# position in the package) and names become lower case.

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
target <- file.path(dirname(normalizePath(script)), "credit_data.csv")

# without this, R may write the integer 100000 as 1e+05
options(scipen = 999)

data("credit_data", package = "modeldata")
names(credit_data) <- tolower(names(credit_data))
credit <- cbind(id = seq_len(nrow(credit_data)), credit_data)

stopifnot(nrow(credit) == 4454, ncol(credit) == 15)
write.csv(credit, target, na = "", quote = FALSE, row.names = FALSE)
