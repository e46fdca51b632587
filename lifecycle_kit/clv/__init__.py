"""What a customer is worth: the simple formula, and models judged on months they have not seen."""
